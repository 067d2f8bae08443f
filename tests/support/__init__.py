"""What tests share: real servers, real wires, and ways to look at them."""
