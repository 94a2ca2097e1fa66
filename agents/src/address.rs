//! Addresses of actors. An actor that was started again is a new one under the old name, so an address holds the name
//! and looks the actor up for every message.

use std::marker::PhantomData;
use std::time::Duration;

use ractor::rpc::CallResult;
use ractor::{ActorRef, Message, RpcReplyPort};

use crate::error::AgentError;

/// How long an actor that is being started again is waited for.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// The address of an actor that understands `M`.
pub struct Address<M> {
    system: String,
    role: &'static str,
    message: PhantomData<fn(M)>,
}

impl<M> Clone for Address<M> {
    fn clone(&self) -> Self {
        Self { system: self.system.clone(), role: self.role, message: PhantomData }
    }
}

impl<M: Message> Address<M> {
    /// The address of a role in a system of actors.
    #[must_use]
    pub fn new(system: &str, role: &'static str) -> Self {
        Self { system: system.to_owned(), role, message: PhantomData }
    }

    /// The registered name, unique in this process.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}/{}", self.system, self.role)
    }

    /// Asks and waits for the answer.
    ///
    /// # Errors
    /// When the actor is not there, dies over the message, or does not answer in time.
    pub async fn ask<T, F>(&self, timeout: Duration, message: F) -> Result<T, AgentError>
    where
        T: Send + 'static,
        F: FnOnce(RpcReplyPort<T>) -> M,
    {
        let actor = self.find().await?;
        let died = || AgentError::Died { actor: self.role.to_owned() };
        match actor.call(message, Some(timeout)).await {
            Ok(CallResult::Success(answer)) => Ok(answer),
            Ok(CallResult::Timeout) => {
                Err(AgentError::NoAnswer { actor: self.role.to_owned(), secs: timeout.as_secs() })
            }
            Ok(CallResult::SenderError) | Err(_) => Err(died()),
        }
    }

    /// Tells without waiting for anything.
    pub fn tell(&self, message: M) {
        if let Some(actor) = ActorRef::<M>::where_is(self.name())
            && actor.send_message(message).is_err()
        {
            tracing::debug!(actor = self.role, "a message came too late: the actor has stopped");
        }
    }

    async fn find(&self) -> Result<ActorRef<M>, AgentError> {
        let mut waited = Duration::ZERO;
        loop {
            if let Some(actor) = ActorRef::<M>::where_is(self.name()) {
                return Ok(actor);
            }
            if waited >= PATIENCE {
                return Err(AgentError::Absent { actor: self.role.to_owned() });
            }
            tokio::time::sleep(LOOK_EVERY).await;
            waited += LOOK_EVERY;
        }
    }
}

/// Runs something that blocks on a thread for it. A panic there goes on here, so that the actor dies of it and is
/// started again by its supervisor.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let span = tracing::Span::current();
    match tokio::task::spawn_blocking(move || span.in_scope(work)).await {
        Ok(value) => value,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        // The runtime is shutting down: this task ends at its next await as well.
        Err(_) => std::future::pending().await,
    }
}
