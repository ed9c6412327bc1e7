//! Queues, agents, skills and offers
