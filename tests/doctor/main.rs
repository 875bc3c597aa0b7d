//! `pivitals doctor` against devices, images and brokers that are well, and against those that are not.

mod house;
mod network;
