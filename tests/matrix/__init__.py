"""The whole cycle on every server and with every maker of dumps that packages bring."""
