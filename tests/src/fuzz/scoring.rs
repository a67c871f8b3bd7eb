//! The engine's input formats.
