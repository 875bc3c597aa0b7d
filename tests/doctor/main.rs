//! `pivitals doctor` against devices, images and brokers that are well, and against those that are not.

mod clone;
mod device;
mod house;
mod image;
mod network;
mod readme;
