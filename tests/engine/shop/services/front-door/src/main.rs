mod greeting;

fn main() {
    println!("{}: {}", greeting::TEXT, words::counted(1));
}
