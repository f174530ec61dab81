namespace Godwit.ClickHouse;

/// <summary>A statement failed. Nothing in it holds the statement, a stack trace of the server, or a secret.</summary>
/// <example><code>catch (ClickHouseException e) when (e.Code == ClickHouseErrorCodes.UnknownTable)</code></example>
public class ClickHouseException : Exception
{
    internal ClickHouseException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    /// <summary>ClickHouse's error code, see <see cref="ClickHouseErrorCodes"/>; 0 when the server did not give one.</summary>
    public int Code { get; internal init; }

    /// <summary>The code in the server's words, e.g. UNKNOWN_TABLE; empty when neither the server nor we know it.</summary>
    public string CodeName { get; internal init; } = "";

    /// <summary>What the server said, without code, version, stack trace and secrets; empty when it said nothing.</summary>
    public string ServerMessage { get; internal init; } = "";

    /// <summary>The query_id of the statement, when it had one.</summary>
    public string? QueryId { get; internal init; }

    /// <summary>The server's own words with its code, for whoever looks it up.</summary>
    internal string Words => Code == 0 ? ServerMessage : $"{ServerMessage} (code {Code}{(CodeName.Length > 0 ? $", {CodeName}" : "")})";

    /// <summary>Whether the same statement may succeed later though nobody changes anything.</summary>
    public bool IsTransient { get; internal init; }

    /// <summary>Whether the statement certainly had no effect.</summary>
    /// <param name="isAllOrNothing">Whether it is one that the server does whole or not at all.</param>
    internal bool HadNoEffect(bool isAllOrNothing) => this is ClickHouseUnreachableException unreachable
        ? !unreachable.MayHaveRun
        : ClickHouseErrorCodes.ComesBeforeExecution(Code) || (isAllOrNothing && !ClickHouseErrorCodes.ComesMidway(Code));

    /// <summary>The host:port that was asked.</summary>
    public string Node { get; internal init; } = "";
}
