//! A buffer that keeps the newest values.

/// A ring buffer: when it is full, each new value pushes the oldest one out.
#[derive(Debug, Clone)]
pub struct Ring<T> {
    slots: Vec<Option<T>>,
    head: usize,
    len: usize,
}

impl<T> Ring<T> {
    /// An empty buffer for `capacity` values. A buffer for no values keeps
    /// none: every push hands its value straight back.
    pub fn new(capacity: usize) -> Ring<T> {
        let mut slots = Vec::new();
        for _ in 0..capacity {
            slots.push(None);
        }
        Ring {
            slots: slots,
            head: 0,
            len: 0,
        }
    }

    /// How many values the buffer holds.
    pub fn len(&self) -> usize {
        return self.len;
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the next push drops a value.
    pub fn is_full(&self) -> bool {
        self.len == self.slots.len()
    }

    fn index(&self, i: usize) -> usize {
        (self.head + i) % self.slots.len()
    }

    /// Adds a value and returns the one that had to leave.
    pub fn push(&mut self, value: T) -> Option<T> {
        if self.is_full() {
            let old = self.slots[self.head].take();
            let head = self.head;
            self.slots[head] = Some(value);
            self.head = (self.head + 1) % self.slots.len();
            old
        } else {
            let at = self.index(self.len);
            self.slots[at] = Some(value);
            self.len += 1;
            None
        }
    }

    /// Takes the oldest value out.
    pub fn pop(&mut self) -> Option<T> {
        if self.is_empty() {
            return None;
        }
        let value = self.slots[self.head].take();
        self.head = (self.head + 1) % self.slots.len();
        self.len -= 1;
        value
    }

    /// The value at place `i`, the oldest one being at 0.
    pub fn get(&self, i: usize) -> Option<&T> {
        if i < self.len {
            match &self.slots[self.index(i)] {
                Some(value) => Some(value),
                None => None,
            }
        } else {
            None
        }
    }

    /// The values from the oldest to the newest.
    pub fn iter(&self) -> impl Iterator<Item = &T> + '_ {
        (0..self.len).filter_map(move |i| self.get(i))
    }
}

impl<T: Clone> Ring<T> {
    /// A copy of the values from the oldest to the newest.
    pub fn to_vec(&self) -> Vec<T> {
        let mut out = Vec::new();
        for value in self.iter() {
            out.push(value.clone());
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_newest() {
        let mut ring = Ring::new(3);
        assert!(ring.is_empty());
        assert_eq!(ring.push(1), None);
        assert_eq!(ring.push(2), None);
        assert!(!ring.is_full());
        assert_eq!(ring.push(3), None);
        assert!(ring.is_full());
        assert_eq!(ring.push(4), Some(1));
        assert_eq!(ring.push(5), Some(2));
        assert_eq!(ring.to_vec(), [3, 4, 5]);
        assert_eq!(ring.len(), 3);
    }

    #[test]
    fn pops_the_oldest() {
        let mut ring = Ring::new(2);
        ring.push('a');
        ring.push('b');
        ring.push('c');
        assert_eq!(ring.pop(), Some('b'));
        assert_eq!(ring.len(), 1);
        assert!(!ring.is_empty());
        ring.push('d');
        assert_eq!(ring.pop(), Some('c'));
        assert_eq!(ring.pop(), Some('d'));
        assert_eq!(ring.pop(), None);
        assert_eq!(ring.len(), 0);
    }

    #[test]
    fn gets_by_age() {
        let mut ring = Ring::new(2);
        assert_eq!(ring.get(0), None);
        ring.push(10);
        ring.push(20);
        ring.push(30);
        assert_eq!(ring.get(0), Some(&20));
        assert_eq!(ring.get(1), Some(&30));
        assert_eq!(ring.get(2), None);
        let all: Vec<&i32> = ring.iter().collect();
        assert_eq!(all, [&20, &30]);
    }
}
