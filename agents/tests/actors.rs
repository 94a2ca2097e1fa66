//! The actors under failure: engines that panic or block, workers that die, a system that is parked, and two systems on
//! one repository. Real repositories, real sandbox, real journal; only the trouble is made up.

mod actors {
    mod blocked;
    mod emergency;
    mod leased;
    mod parked;
    mod poison;
    mod support;
}
