namespace Godwit.Metadata;

/// <summary>The tables of a store and their versions, for every database.</summary>
internal static class StoreSchema
{
    /// <summary>
    /// What leads from each version to the next; the first makes an empty database version 1. Plans stand apart from runs because a whole row
    /// is rewritten, and a plan may have megabytes while a heartbeat writes every second.
    /// </summary>
    private static readonly string[] Scripts =
    [
        """
        CREATE TABLE runs (
            number {identity}, run_id TEXT NOT NULL UNIQUE, migration TEXT NOT NULL, tables TEXT NOT NULL, instance TEXT NOT NULL,
            strategy TEXT, state TEXT NOT NULL, created_at BIGINT NOT NULL, started_at BIGINT,
            finished_at BIGINT, rollback_until BIGINT, cleaned_up BIGINT NOT NULL, problem TEXT,
            options TEXT NOT NULL, progress TEXT);
        CREATE TABLE plans (
            run_id TEXT NOT NULL PRIMARY KEY REFERENCES runs (run_id), body TEXT NOT NULL, checksum TEXT NOT NULL);
        CREATE TABLE steps (
            run_id TEXT NOT NULL REFERENCES runs (run_id), step BIGINT NOT NULL, state TEXT NOT NULL, rows_done BIGINT NOT NULL,
            attempts BIGINT NOT NULL, PRIMARY KEY (run_id, step));
        CREATE TABLE journal (
            run_id TEXT NOT NULL REFERENCES runs (run_id), sequence BIGINT NOT NULL, step BIGINT NOT NULL, kind TEXT NOT NULL,
            name TEXT NOT NULL, payload TEXT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (run_id, sequence));
        CREATE TABLE errors (
            id {identity}, run_id TEXT NOT NULL REFERENCES runs (run_id), step BIGINT, message TEXT NOT NULL,
            details TEXT, at BIGINT NOT NULL);
        CREATE INDEX errors_of_run ON errors (run_id, id);
        CREATE TABLE leases (
            run_id TEXT NOT NULL PRIMARY KEY REFERENCES runs (run_id), owner TEXT, epoch BIGINT NOT NULL, expires_at BIGINT NOT NULL);
        CREATE TABLE requests (run_id TEXT NOT NULL PRIMARY KEY REFERENCES runs (run_id), request TEXT NOT NULL);
        CREATE TABLE settings (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL);
        CREATE TABLE audit (
            id {identity}, at BIGINT NOT NULL, who TEXT NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL, details TEXT);
        """,
        """
        ALTER TABLE audit ADD COLUMN origin TEXT;
        ALTER TABLE steps ADD COLUMN started_at BIGINT;
        ALTER TABLE steps ADD COLUMN finished_at BIGINT;
        CREATE TABLE limits (run_id TEXT NOT NULL PRIMARY KEY REFERENCES runs (run_id), rows_per_second BIGINT);
        CREATE TABLE samples (
            run_id TEXT NOT NULL REFERENCES runs (run_id), at BIGINT NOT NULL, row_count BIGINT NOT NULL, rate DOUBLE PRECISION NOT NULL,
            lag DOUBLE PRECISION, is_held BIGINT NOT NULL);
        CREATE INDEX samples_of_run ON samples (run_id, at);
        CREATE TABLE users (
            name TEXT NOT NULL PRIMARY KEY, role TEXT NOT NULL, password TEXT, subject TEXT UNIQUE, created_at BIGINT NOT NULL, seen_at BIGINT,
            failures BIGINT NOT NULL, locked_until BIGINT, stamp TEXT NOT NULL);
        CREATE TABLE sessions (
            id TEXT NOT NULL PRIMARY KEY, user_name TEXT NOT NULL, stamp TEXT NOT NULL, began_at BIGINT NOT NULL, expires_at BIGINT NOT NULL);
        CREATE INDEX sessions_of_user ON sessions (user_name);
        CREATE TABLE tokens (
            id TEXT NOT NULL PRIMARY KEY, hash TEXT NOT NULL, name TEXT NOT NULL, user_name TEXT NOT NULL, role TEXT NOT NULL, created_at BIGINT NOT NULL,
            expires_at BIGINT NOT NULL, used_at BIGINT);
        CREATE TABLE keys (id TEXT NOT NULL PRIMARY KEY, body TEXT NOT NULL);
        CREATE TABLE answers (
            who TEXT NOT NULL, key TEXT NOT NULL, request TEXT NOT NULL, status BIGINT, body TEXT, at BIGINT NOT NULL, PRIMARY KEY (who, key));
        """,
    ];

    /// <summary>The scripts in the words of a database.</summary>
    /// <param name="identity">A column that is a primary key and counts by itself.</param>
    public static IReadOnlyList<string> Versions(string identity) => Scripts.Select(s => s.Replace("{identity}", identity, StringComparison.Ordinal)).ToList();
}
