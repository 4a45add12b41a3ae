// The dashboard's scripts and what tests and lints them.

import js from "@eslint/js";
import globals from "globals";

export default [
  { ignores: [".venv/", "build/"] },
  js.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "complexity": ["error", 12],
      "eqeqeq": "error",
      "no-unused-vars": ["error", { ignoreRestSiblings: true }],
      "max-lines": ["error", 300],
      "max-lines-per-function": ["error", 40],
      "no-implicit-globals": "error",
      "no-param-reassign": "error",
      "no-shadow": "error",
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-const": "error",
      "prefer-template": "error",
    },
  },
  { files: ["dashboard/**/*.js"], languageOptions: { globals: globals.browser } },
  { files: ["eslint.config.js", "tests/scripts/**/*.js"], languageOptions: { globals: globals.node } },
  {
    // Playwright hands these to the page as they are: one expression each
    files: ["tests/browser/*.js"],
    languageOptions: { sourceType: "script", globals: globals.browser },
    rules: { "max-lines-per-function": "off" },
  },
];
