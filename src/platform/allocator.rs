//! An allocator that wipes what it frees.
//!
//! A private key passes through several blocks of memory on its way from the file to ring: the file's text,
//! its base64 without line breaks, its DER. Most of them belong to libraries, and grow and move as they are
//! filled. So every block is wiped, not only our own.

use std::alloc::{GlobalAlloc, Layout};
use std::arch::asm;
use std::ptr;

/// Longer blocks are not wiped, in bytes. They hold samples; to wipe them would make memory resident that was
/// never used.
pub const WIPED_LEN_MAX: usize = 64 * 1024;

/// Wipes blocks of up to [`WIPED_LEN_MAX`] bytes before the allocator inside frees them.
#[derive(Debug)]
pub struct Wiping<A>(pub A);

// SAFETY: every block comes from the allocator inside and goes back to it with the layout it was made with.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Wiping<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe { self.0.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block is of that length, and the caller gives it up. The assembly is empty; to the
        // compiler it may read the block, so that the zeros are written although nobody else reads them.
        unsafe {
            if layout.size() <= WIPED_LEN_MAX {
                ptr::write_bytes(block, 0, layout.size());
                asm!("/* {} */", in(reg) block, options(nostack, preserves_flags));
            }
            self.0.dealloc(block, layout);
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_len: usize) -> *mut u8 {
        if layout.size() > WIPED_LEN_MAX {
            // SAFETY: the caller's promise is the one that is asked for.
            return unsafe { self.0.realloc(block, layout, new_len) };
        }
        // The allocator inside might move the block and leave the old one as it is.
        // SAFETY: the caller promises that the new length fits the alignment, and gives the old block up if
        // there is a new one; both are at least as long as what is copied.
        unsafe {
            let new_block = self.0.alloc(Layout::from_size_align_unchecked(new_len, layout.align()));
            if !new_block.is_null() {
                ptr::copy_nonoverlapping(block, new_block, layout.size().min(new_len));
                self.dealloc(block, layout);
            }
            new_block
        }
    }
}

#[cfg(test)]
mod tests {
    use std::alloc::System;
    use std::cell::RefCell;
    use std::slice;

    use super::*;

    /// Keeps the content of each block at the moment at which it is freed.
    #[derive(Default)]
    struct Recorder {
        freed: RefCell<Vec<Vec<u8>>>,
    }

    // SAFETY: the system's allocator does the work.
    unsafe impl GlobalAlloc for Recorder {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            // SAFETY: as asked.
            unsafe { System.alloc(layout) }
        }

        unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
            // SAFETY: the block is of that length, and all of it was written.
            unsafe {
                self.freed.borrow_mut().push(slice::from_raw_parts(block, layout.size()).to_vec());
                System.dealloc(block, layout);
            }
        }
    }

    /// A block of `len` bytes, all of them 7.
    fn filled(allocator: &Wiping<Recorder>, len: usize) -> (*mut u8, Layout) {
        let layout = Layout::from_size_align(len, 8).unwrap();
        // SAFETY: the length is not 0, and the block is written within it.
        unsafe {
            let block = allocator.alloc(layout);
            block.write_bytes(7, len);
            (block, layout)
        }
    }

    #[test]
    fn freed_block_is_wiped() {
        for len in [1, 1000, WIPED_LEN_MAX] {
            let allocator = Wiping(Recorder::default());
            let (block, layout) = filled(&allocator, len);
            // SAFETY: the block is the allocator's.
            unsafe { allocator.dealloc(block, layout) };
            assert_eq!(*allocator.0.freed.borrow(), [vec![0; len]]);
        }
    }

    #[test]
    fn block_that_grows_or_shrinks_moves_and_its_old_place_is_wiped() {
        for new_len in [50, 200] {
            let allocator = Wiping(Recorder::default());
            let (block, layout) = filled(&allocator, 100);
            // SAFETY: the block is the allocator's, and the new length is not 0.
            let kept = unsafe {
                let block = allocator.realloc(block, layout, new_len);
                let kept = slice::from_raw_parts(block, new_len.min(100)).to_vec();
                System.dealloc(block, Layout::from_size_align(new_len, 8).unwrap());
                kept
            };
            assert_eq!(kept, vec![7; new_len.min(100)]);
            assert_eq!(*allocator.0.freed.borrow(), [vec![0; 100]]);
        }
    }

    #[test]
    fn long_block_is_freed_as_it_is() {
        let allocator = Wiping(Recorder::default());
        let (block, layout) = filled(&allocator, WIPED_LEN_MAX + 1);
        // SAFETY: the block is the allocator's.
        unsafe { allocator.dealloc(block, layout) };
        assert_eq!(allocator.0.freed.borrow()[0][0], 7);
    }
}
