"""Paragraphs of the report's methods that several procedures share."""

from __future__ import annotations

SPINE = (
    "Bones. The spinal canal is followed through the scan by its ring of bone; from its middle "
    "line the vertebrae are told apart, named by sacrum, ribs or the name that was given, and "
    "separated from each other by a random walk on the grey values (Grady L, IEEE Trans Pattern "
    "Anal Mach Intell 2006;28:1768, doi:10.1109/TPAMI.2006.233). Surfaces lie where the grey "
    "values cross a threshold between bone and its surroundings, to a fraction of a voxel; an "
    "imported label map replaces finding and separating, not the surface.",
    "Landmarks. Each vertebra has a frame of its own: z between the normals of its endplates, x "
    "to the patient's left by mirror symmetry. Pedicles are measured at their narrowest section.",
)
PATHS = (
    "Paths. The widest straight corridor through a pedicle is searched within the limits of "
    "angle, entry and depth that the settings state, keeping clear of neighbouring bone on the "
    "way in. The corridor's diameter is twice the axis's smallest distance to the bone's surface."
    " Grades are those of Gertzbein SD and Robbins SE (Spine 1990;15(1):11-14), taken on a "
    "surface that the planner did not use: where the CT's grey values fall through half their "
    "maximum."
)
PARTS = (
    "Parts. A part is a block less everything that lies in the bone's shadow seen along the "
    "direction of insertion, so that it comes off straight; contacts keep the stated gap from the"
    " bone. Bores are cut last. Every part is written, read back and measured as a file: one "
    "closed body, smallest wall, overlap with each bone in reach, straight removal, bores and "
    "slots against the plan. A part that fails a check is not exported."
)
LIMITS = (
    "Limits. A CT shows neither cartilage nor soft tissue as bone; its voxels limit every "
    "distance. Numbers describe the patient as he lay. Every value of the settings names its "
    "reason and source in the table of settings."
)
PUNCTURE = (
    "Puncture. Heights of front, middle and back of the body are distances between its endplates;"
    " compression is the largest loss against the neighbours. Needles run through the pedicle, or"
    " beside it where that was asked for, to the front third of the body; they are carried on to "
    "the skin, which is the patient's outline without table, cloth and wires. Angles are those "
    "that an operator reads on fluoroscopy from front and side. Cement volumes are information, "
    "not a prescription."
)
KNEE = (
    "Bones. Femur, tibia, fibula, patella and talus are told apart by their shafts and separated "
    "where they touch; the side comes from the shape. Thin cortex is found by its sheet of raised"
    " grey values, and where none is seen a warning says so.",
    "Axes. The femoral mechanical axis runs from the centre of the head (a sphere fitted to it) "
    "to the knee's centre, the tibial one from the plateau's centre to the ankle's. Frontal and "
    "sagittal planes are each bone's own: the femur's by its epicondyles, the tibia's by the "
    "medial third of the tubercle, so that angles do not depend on how the leg lay. HKA is the "
    "medial angle between the mechanical axes, FTA the lateral one between the shafts.",
    "Cuts. The distal and the proximal cut have the stated angles to the bone's own axis; the "
    "resection is measured on bone, less the stated allowance for cartilage, to the face that "
    "stays. Posterior and anterior planes are planned for rotation and size and are not guided by"
    " the part. Contacts keep away from bone that stands proud of the smooth shape.",
)
