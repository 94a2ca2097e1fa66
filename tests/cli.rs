//! The program as a person or another program uses it: built, run on real repositories, judged by what it prints, by
//! its exit code and by what it leaves in the repository.
//!
//! Every test has a repository, a home and a state directory of its own. Those that take long run when
//! `KAIZEN_TEST_ALL` is set.

mod cli {
    mod advisories;
    mod approve;
    mod bad_base;
    mod bad_repository;
    mod bad_settings;
    mod behaviour;
    mod behaviour_async;
    mod behaviour_made;
    mod benchmarks;
    mod bisect;
    mod bombs;
    mod busy;
    mod contended;
    mod daemon;
    mod diffs;
    mod disk_full;
    mod endless;
    mod evidence;
    mod features;
    mod forge;
    mod journal_damaged;
    mod killed;
    mod landing;
    mod layouts;
    mod looking;
    mod moved;
    mod noticed;
    mod printed;
    mod pull_requests;
    mod reject;
    mod reports;
    mod revert;
    mod shapes;
    mod shortage;
    mod story;
    mod support;
    mod try_asks;
    mod try_lands;
    mod try_refuses;
    mod untouched;
    mod watch;
}
