"""Read reports: sections, sentences, mentions of findings, their certainty and attributes."""
