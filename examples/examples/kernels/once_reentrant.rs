//! A registry is made at its first use; what makes it looks up its own name there.
use crate::stage::fixed;
use lockprof::once_cell::sync::OnceCell;

static REGISTRY: OnceCell<u32> = OnceCell::new(); //~ new registry

fn name() -> u32 {
    if fixed() { 7 } else { *registry() }
}

fn registry() -> &'static u32 {
    REGISTRY.get_or_init(name) //~ wait main //~ hold main
}

pub fn play() {
    assert_eq!(*registry(), 7);
}
