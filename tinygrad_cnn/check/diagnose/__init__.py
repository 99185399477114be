"""From witnesses that disagree to the first step where they diverge, and to an explanation."""
