"""One API token for each development user; the plain texts are those of the handbook."""

import hashlib

VERSION = "1.0.0"
DEPENDS = ["development/00_users", "development/01_projects"]

TOKENS = {
    "iron_dev_admin_token_001": ("admin", "project_alpha", "Admin"),
    "iron_dev_pm_token_002": ("project_manager", "project_beta", "PM"),
    "iron_dev_viewer_token_003": ("viewer", "project_beta", "Viewer"),
}


def run(seed):
    """Put in the hashes: the application stores nothing else of a token."""
    for token, (username, project, name) in TOKENS.items():
        user = seed.find("users", username=username)
        seed.insert_missing(
            "api_tokens",
            {
                "token_hash": hashlib.sha256(token.encode()).hexdigest(),
                "user_id": user["id"],
                "project_id": project,
                "name": f"{name} development token",
                "provider": "openai",
                "is_active": 1,
                "created_at": 1733900000000,
            },
            key=["token_hash"],
        )
