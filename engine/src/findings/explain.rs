//! The long text of each code, with a minimal broken program and its corrected form.

/// Code, title and text of every finding.
pub const CODES: &[(&str, &str, &str)] = &[
    ("LP0001", "deadlock", include_str!("explain/LP0001.md")),
    ("LP0002", "lock never released", include_str!("explain/LP0002.md")),
    ("LP0003", "blocked send", include_str!("explain/LP0003.md")),
    ("LP0004", "blocked receive", include_str!("explain/LP0004.md")),
    ("LP0005", "blocked wait", include_str!("explain/LP0005.md")),
    ("LP0006", "watchers never released", include_str!("explain/LP0006.md")),
    ("LP0007", "growing population", include_str!("explain/LP0007.md")),
    ("LP0008", "long hold with waiters", include_str!("explain/LP0008.md")),
    ("LP0009", "hot object", include_str!("explain/LP0009.md")),
    ("LP0010", "lock-order inversion", include_str!("explain/LP0010.md")),
    ("LP0011", "guard held across an await", include_str!("explain/LP0011.md")),
    ("LP0012", "blocking call in a task", include_str!("explain/LP0012.md")),
    ("LP0013", "re-entrant acquire", include_str!("explain/LP0013.md")),
    ("LP0014", "wait under a lock", include_str!("explain/LP0014.md")),
    ("LP0015", "lost wake-up", include_str!("explain/LP0015.md")),
    ("LP0016", "guards never given back", include_str!("explain/LP0016.md")),
    ("LP0017", "subscriptions left behind", include_str!("explain/LP0017.md")),
    ("LP0018", "senders left behind", include_str!("explain/LP0018.md")),
    ("LP0020", "state overwritten", include_str!("explain/LP0020.md")),
    ("LP0021", "done twice", include_str!("explain/LP0021.md")),
    ("LP0022", "stale read", include_str!("explain/LP0022.md")),
    ("LP0023", "map grows under its lock", include_str!("explain/LP0023.md")),
    ("LP0024", "torn iteration", include_str!("explain/LP0024.md")),
    ("LP0025", "needless lock", include_str!("explain/LP0025.md")),
    ("LP0026", "wait returned before an add", include_str!("explain/LP0026.md")),
    ("LP0030", "failed sends", include_str!("explain/LP0030.md")),
    ("LP0031", "hot shard or key", include_str!("explain/LP0031.md")),
    ("LP0032", "lock convoy", include_str!("explain/LP0032.md")),
    ("LP0033", "starved writer", include_str!("explain/LP0033.md")),
    ("LP0034", "growing channel", include_str!("explain/LP0034.md")),
    ("LP0035", "long poll", include_str!("explain/LP0035.md")),
    ("LP0036", "full blocking pool", include_str!("explain/LP0036.md")),
    ("LP0037", "missed messages", include_str!("explain/LP0037.md")),
];

/// What a code means: when it is reported, a program that shows it, and the program without the fault.
pub fn explain(code: &str) -> Option<&'static str> {
    CODES.iter().find(|known| known.0.eq_ignore_ascii_case(code)).map(|known| known.2)
}

/// The title of a code.
pub(super) fn title(code: &str) -> &'static str {
    CODES.iter().find(|known| known.0 == code).map_or("", |known| known.1)
}
