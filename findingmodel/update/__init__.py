"""The write path: directory -> scan -> compare -> load -> decide -> write."""
