"""The read path, one way: query -> candidates -> rank -> hits. It knows stores by their protocol only."""
