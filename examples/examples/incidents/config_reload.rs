//! Settings are read one by one while a reload writes them one by one: who goes through them meanwhile has some of before
//! and some of after. Fixed: a reader has one snapshot, and a reload publishes all settings at once.
use lockprof::map::{SafeMap, SnapshotMap, Versions};
use lockprof::thread;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

const SETTINGS: u64 = 1_000;
/// How often a reader goes through all of them.
const PASSES: u64 = 50;

/// A setting, and which version of the configuration it belongs to.
type Setting = (u64, u64);

trait Settings: Sync {
    /// Each setting becomes `value`, which is of this version.
    fn reload(&self, value: u64, version: u64);
    /// The versions of all settings.
    fn versions(&self) -> Vec<u64>;
}

/// A live map.
impl Settings for SafeMap<u64, Setting> {
    fn reload(&self, value: u64, version: u64) {
        for name in 0..SETTINGS {
            self.insert(name, (value, version));
        }
    }

    fn versions(&self) -> Vec<u64> {
        (0..SETTINGS).filter_map(|name| Some(self.get(&name)?.1)).collect()
    }
}

/// One version at a time.
impl Settings for SnapshotMap<u64, Setting> {
    fn reload(&self, value: u64, version: u64) {
        self.replace((0..SETTINGS).map(|name| (name, (value, version))).collect());
    }

    fn versions(&self) -> Vec<u64> {
        self.load().values().map(|setting| setting.1).collect()
    }
}

pub fn play(fixed: bool) {
    if fixed { serve(&SnapshotMap::new()) } else { serve(&SafeMap::new()) }
}

fn serve(settings: &impl Settings) {
    let versions = Versions::new(); // planted: settings-versions
    let stopped = AtomicBool::new(false);
    let reload = |value: u64| {
        let write = versions.write(&"settings"); // planted: settings-reload
        settings.reload(value, write.version());
        write.complete();
    };
    reload(0);
    let torn = thread::scope(|scope| {
        scope.spawn(|| (1..).take_while(|_| !stopped.load(Relaxed)).for_each(reload));
        let is_torn = |_: &u64| {
            let read = versions.read(&"settings"); // planted: torn-pass
            read.is_torn(settings.versions())
        };
        let torn = (0..PASSES).filter(is_torn).count();
        stopped.store(true, Relaxed);
        torn
    });
    println!("config_reload: {torn} of {PASSES} passes found settings of two versions");
}
