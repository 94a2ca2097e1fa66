//! The program with a language model, end to end: real HTTP to a scripted server, a real repository, a real sandbox.
//!
//! The server says what a test wrote down; nothing here knows a model. Each test has a repository of its own.

mod model {
    mod answers;
    mod budget;
    mod endpoints;
    mod formatting;
    mod goal;
    mod injection;
    mod killed;
    mod repair;
    mod replay;
    mod second_reader;
    mod several;
    mod speed;
    mod support;
}
