//! What ends here: filters and the discard of dead letters.
