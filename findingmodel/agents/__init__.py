"""What language-model agents ask of an index: tools and resources of the Model Context Protocol."""
