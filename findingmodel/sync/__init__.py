"""The write path, one way: directory -> scan -> compare -> load -> identity -> write."""
