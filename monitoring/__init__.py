"""What operators look at: Flower now; metrics, dashboards, alerts and runbooks later."""
