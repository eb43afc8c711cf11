"""Worker processes: their manners, their heartbeat, and what they may lack."""
