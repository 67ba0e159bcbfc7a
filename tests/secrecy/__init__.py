"""Secrets and personal data are looked for in everything that real runs leave, print and start."""
