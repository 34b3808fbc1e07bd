//! What is said at the door.

/// Says how many came.
pub fn counted(guests: u32) -> String {
    format!("{} came in", itoa::Buffer::new().format(guests))
}
