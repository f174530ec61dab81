using Npgsql;

namespace Godwit.Metadata.Postgres;

/// <summary>What PostgreSQL's errors mean for a person who has a run to finish.</summary>
internal static class PostgresFailures
{
    /// <summary>The server has ended a session that was idle within a transaction, and nothing of the transaction was kept (PostgreSQL's appendix A, 25P03).</summary>
    public const string SleptInTransaction = "25P03";

    /// <summary>The sentences for an error.</summary>
    public static StoreException Describe(Exception error, string name) => new(
        error switch
        {
            PostgresException { SqlState: PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification } =>
                $"PostgreSQL {name} refuses the login. Look at the user and the password of the store.",
            PostgresException { SqlState: PostgresErrorCodes.InvalidCatalogName } => $"PostgreSQL has no database {name}: make it, or name another one for the store.",
            PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege } refused =>
                $"The user of the store may not use {name}: {refused.MessageText}. Grant it the schema, or let somebody make the schema who may.",
            PostgresException { SqlState: PostgresErrorCodes.DiskFull } => $"The disk of PostgreSQL {name} is full. Free some space, then resume the run.",
            PostgresException { SqlState: SleptInTransaction } =>
                $"This process slept in the middle of a write to {name}, and PostgreSQL has thrown it out: nothing of that write was kept. Another process may have gone on with the run.",
            PostgresException refused => $"PostgreSQL {name} refused to read or write the store ({refused.SqlState}: {refused.MessageText}). Mend the cause, then resume the run.",
            _ => $"PostgreSQL {name}, where runs are kept, cannot be reached: {error.Message} It is used again as soon as it is back; then resume the run.",
        },
        error);
}
