//! A configuration is made at its first use, by a thread that asks for it as well, and whose end is awaited there.
use crate::stage::fixed;
use lockprof::sync::OnceLock;
use lockprof::thread;

static CONFIG: OnceLock<u32> = OnceLock::new(); //~ new config

fn load() -> u32 {
    if fixed() { 1 } else { config() }
}

fn config() -> u32 {
    *CONFIG.get_or_init(|| { //~ wait loader
        thread::spawn(load).join().unwrap() //~ wait asker
    })
}

pub fn play() {
    config();
}
