"""What a finding model is: its classes, its rules, its files and their layout. No input or output."""
