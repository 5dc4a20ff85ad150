"""What curators do to files: begin a new model, check files, bring them into canonical layout."""
