//! From a stored delivery to an attempt: lanes, scheduler, claim, execute.
