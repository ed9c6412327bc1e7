"""What `run.py` measures with: a server, phones that are only SIP, and SIPp."""
