//! What is open at an instant: weekly hours, Italian holidays, exceptions
