"""The command line: in this process (`commands`) and as a process of its own (`test_process`)."""
