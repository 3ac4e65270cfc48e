//! Settings are read one by one while a reload writes them one by one: who goes through them meanwhile has some of before
//! and some of after. Fixed: a reader has one snapshot, and a reload publishes all settings at once.
use lockprof::map::{SafeMap, SnapshotMap, Versions};
use lockprof::thread;
use std::sync::Barrier;

const SETTINGS: u64 = 1_000;
/// How often a reader goes through all of them, while they are reloaded.
const PASSES: u64 = 50;

/// A setting, and which version of the configuration it belongs to.
type Setting = (u64, u64);

trait Settings: Sync {
    /// Each setting becomes `value`, which is of this version; `halfway` is called when half of them are read.
    fn reload(&self, value: u64, version: u64, halfway: impl Fn());
    /// The versions of all settings.
    fn versions(&self) -> Vec<u64>;
}

/// All settings with this value, as they are read one by one.
fn read(value: u64, version: u64, halfway: impl Fn()) -> impl Iterator<Item = (u64, Setting)> {
    (0..SETTINGS).map(move |name| {
        if name == SETTINGS / 2 {
            halfway();
        }
        (name, (value, version))
    })
}

/// A live map.
impl Settings for SafeMap<u64, Setting> {
    fn reload(&self, value: u64, version: u64, halfway: impl Fn()) {
        for (name, setting) in read(value, version, halfway) {
            self.insert(name, setting);
        }
    }

    fn versions(&self) -> Vec<u64> {
        (0..SETTINGS).filter_map(|name| Some(self.get(&name)?.1)).collect()
    }
}

/// One version at a time.
impl Settings for SnapshotMap<u64, Setting> {
    fn reload(&self, value: u64, version: u64, halfway: impl Fn()) {
        self.replace(read(value, version, halfway).collect());
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
    let reload = |value: u64, halfway: &dyn Fn()| {
        let write = versions.write(&"settings"); // planted: settings-reload
        settings.reload(value, write.version(), halfway);
        write.complete();
    };
    reload(0, &|| ());
    // A pass comes while a reload is half done.
    let (begin, end) = (Barrier::new(2), Barrier::new(2));
    let torn = thread::scope(|scope| {
        scope.spawn(|| {
            let meets_a_pass = || {
                begin.wait();
                end.wait();
            };
            (1..=PASSES).for_each(|value| reload(value, &meets_a_pass));
        });
        let is_torn = |_: &u64| {
            begin.wait();
            let read = versions.read(&"settings"); // planted: torn-pass
            let torn = read.is_torn(settings.versions());
            end.wait();
            torn
        };
        (0..PASSES).filter(is_torn).count()
    });
    println!("config_reload: {torn} of {PASSES} passes found settings of two versions");
}
