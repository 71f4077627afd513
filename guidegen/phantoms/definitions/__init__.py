"""The phantoms' definitions, one TOML file each."""
