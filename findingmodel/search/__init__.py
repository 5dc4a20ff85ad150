"""The read path: query -> expansion -> candidates -> score -> rank -> explain."""
