//! Kernels of concurrency bugs of well-known systems, each broken and fixed. `docs/KERNELS.md` lists them.
//!
//! Comments at the end of a line mark the truth that the report must name: `//~ wait P` where party P blocks for ever,
//! `//~ behind P` where it only queues behind those, `//~ hold P` where it took what it still holds, `//~ new O` where
//! object O is made.
mod async_traps;
mod stage;
mod traps;

use clap::{Args, Parser, builder::PossibleValuesParser};
use lockprof::tokio::runtime::Builder;
use stage::Variant;
use std::pin::Pin;

/// How a kernel is played.
enum Kernel {
    Threads(fn()),
    Tasks(fn() -> Pin<Box<dyn Future<Output = ()> + Send>>),
}

macro_rules! kernels {
    (
        threads { $($thread:ident,)* } tasks { $($task:ident,)* }
        traps { $($trap:ident,)* } async_traps { $($async_trap:ident,)* }
    ) => {
        $(mod $thread;)*
        $(mod $task;)*
        const KERNELS: &[(&str, Kernel)] = &[
            $((stringify!($thread), Kernel::Threads($thread::play)),)*
            $((stringify!($task), Kernel::Tasks(|| Box::pin($task::play()))),)*
            $((stringify!($trap), Kernel::Threads(traps::$trap)),)*
            $((stringify!($async_trap), Kernel::Tasks(|| Box::pin(async_traps::$async_trap()))),)*
        ];
    };
}

kernels! {
    threads {
        match_guard,
        kept_guard,
        blocked_runtime,
        read_then_write,
        upgrade_and_read,
        barrier_missing,
        once_reentrant,
        lazy_cycle,
        scoped_join,
        map_ref_insert,
        watch_borrow,
        drop_under_lock,
        recv_on_runtime,
        full_pool,
        workers_blocked,
        three_locks,
        condvar_outer,
        cockroach_10214,
        cockroach_2448,
        cockroach_1055,
        cockroach_584,
        cockroach_6181,
        cockroach_9935,
        etcd_10492,
        etcd_6873,
        grpc_660,
        grpc_795,
        istio_16224,
        kubernetes_10182,
        kubernetes_11298,
        kubernetes_38669,
        kubernetes_70277,
        moby_25384,
        moby_30408,
        moby_33293,
        moby_4395,
        moby_4951,
        syncthing_4829,
        jobs_in_jobs,
        runtimes_block,
        pool_drop,
        init_joins_user,
    }
    tasks {
        stages_in_ring,
        ask_itself,
        ask_each_other,
        guard_across_await,
        double_lock_async,
        no_waker,
        two_actors,
        own_queue,
        permit_leak,
        future_lock,
        permits_piecemeal,
        reserve_then_send,
        set_under_lock,
        init_in_init,
        job_under_lock,
        closed_and_join,
        notified_too_late,
        waker_replaced,
        cockroach_10790,
        cockroach_13197,
        cockroach_13755,
        cockroach_18101,
        cockroach_24808,
        cockroach_25456,
        cockroach_35931,
        grpc_1424,
        grpc_1460,
        kubernetes_13135,
        kubernetes_62464,
        kubernetes_6632,
        moby_17176,
        serving_2137,
    }
    traps {
        request_reply,
        accept_loop,
        timer_loop,
        gate_lock,
        two_stages,
        back_off,
        hand_over_hand,
        readers_in_a_circle,
        read_recursive,
        call_after_release,
        wait_gives_back,
        idle_workers,
        idle_selects,
        late_at_barrier,
        queue_after_signal,
    }
    async_traps {
        idle_tasks,
        request_reply_async,
        pending_map,
        long_hold,
        in_turn,
        back_pressure,
        forget_and_add,
        guard_travels,
        join_of_work,
        permits_travel,
        end_travels,
        own_guard_travels,
        permit_in_message,
        answer_on_shelf,
        computed_elsewhere,
        set_at_work,
        jobs_in_turn,
        actors_left,
        permits_as_signals,
        room_reserved,
    }
}

/// Plays one kernel of a real concurrency bug
#[derive(Parser)]
struct Options {
    /// Its name
    #[arg(value_parser = PossibleValuesParser::new(KERNELS.iter().map(|(name, _)| name)))]
    name: String,

    #[command(flatten)]
    variant: Played,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct Played {
    /// With the bug, and the interleaving that shows it
    #[arg(long)]
    broken: bool,

    /// The same interleaving without the bug
    #[arg(long)]
    fixed: bool,

    /// With the bug, but one party after the other
    #[arg(long)]
    not_shown: bool,

    /// With the bug, but the idle end of the channel has one owner and goes with it
    #[arg(long)]
    dropped: bool,
}

fn main() {
    let options = Options::parse();
    let kernel = KERNELS.iter().find(|(name, _)| *name == options.name);
    stage::set(match options.variant {
        Played { fixed: true, .. } => Variant::Fixed,
        Played { not_shown: true, .. } => Variant::NotShown,
        Played { dropped: true, .. } => Variant::Dropped,
        _ => Variant::Broken,
    });
    match &kernel.expect("the name is one of them").1 {
        Kernel::Threads(play) => {
            stage::party(*play);
            stage::close();
        }
        Kernel::Tasks(play) => {
            let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
            runtime.block_on(async {
                stage::task(play());
                stage::close_async().await;
            });
            runtime.shutdown_background();
        }
    }
}
