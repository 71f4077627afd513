"""What flows between the stages: frozen types, numpy only, DICOM LPS in millimetres."""
