//! Uploads are counted by a wait group, and each adds itself as it begins: the wait sees nobody, and the archive is closed
//! over the uploads. Fixed: a set of tasks, which knows whom it has spawned.
use lockprof::tokio::{
    runtime::Builder,
    task::{self, JoinSet},
};
use lockprof::wait_group::WaitGroup;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

const UPLOADS: u64 = 20;

/// Where uploads go.
#[derive(Default)]
struct Archive {
    uploads: AtomicU64,
}

impl Archive {
    async fn upload(&self) {
        task::yield_now().await;
        self.uploads.fetch_add(1, Relaxed);
    }

    /// How many uploads it has, as it is closed.
    fn close(&self) -> u64 {
        self.uploads.load(Relaxed)
    }
}

pub fn play(fixed: bool) {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    let archive = Arc::new(Archive::default());
    let closed_with = runtime.block_on(async {
        if fixed { join_all(archive.clone()).await } else { wait_for_all(archive.clone()) }
    });
    // The program goes on, and so do the uploads.
    runtime.block_on(async {
        while archive.uploads.load(Relaxed) < UPLOADS {
            task::yield_now().await;
        }
    });
    println!("late_add: the archive was closed with {closed_with} of {UPLOADS} uploads");
}

fn wait_for_all(archive: Arc<Archive>) -> u64 {
    let uploading = Arc::new(WaitGroup::new()); // planted: uploading
    for _upload in 0..UPLOADS {
        let (archive, uploading) = (archive.clone(), uploading.clone());
        let upload = async move {
            uploading.add(1); // planted: late-add
            archive.upload().await;
            uploading.done();
        };
        lockprof::tokio::spawn(upload); // planted: upload
    }
    uploading.wait(); // planted: early-wait
    archive.close()
}

async fn join_all(archive: Arc<Archive>) -> u64 {
    let mut uploads = JoinSet::new();
    for _upload in 0..UPLOADS {
        let archive = archive.clone();
        uploads.spawn(async move { archive.upload().await });
    }
    while let Some(ended) = uploads.join_next().await {
        ended.expect("no upload panics");
    }
    archive.close()
}
