"""`make bench`: what Lyceum reaches, each against a limit that is measured in the same run."""
