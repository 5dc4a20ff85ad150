"""The only text normaliser: names, slugs, tokens and stems, the same for entries and for queries."""
