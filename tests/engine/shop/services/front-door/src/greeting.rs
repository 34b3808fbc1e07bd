pub const TEXT: &str = env!("GREETING");
