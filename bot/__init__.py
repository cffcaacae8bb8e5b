"""Xiaohu (小护): the bot behind a hospital's WeChat official account and WeCom."""
