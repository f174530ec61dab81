using Microsoft.Extensions.Logging;

namespace Godwit.Server.Access;

/// <summary>What is logged of who comes and goes. No secret is ever given to it, and no name that nobody has: people type passwords into the wrong field.</summary>
internal static partial class AccessLog
{
    [LoggerMessage(2001, LogLevel.Information, "{User} logged in from {From} by {How}")]
    public static partial void LoggedIn(this ILogger logger, string user, string from, string how);

    [LoggerMessage(2002, LogLevel.Warning, "A login as {User} from {From} was refused: {Reason}")]
    public static partial void LoginRefused(this ILogger logger, string user, string from, string reason);

    [LoggerMessage(2003, LogLevel.Information, "{User} logged out from {From}")]
    public static partial void LoggedOut(this ILogger logger, string user, string from);

    [LoggerMessage(2004, LogLevel.Warning, "A token from {From} was refused: it is not known, or no longer good")]
    public static partial void TokenRefused(this ILogger logger, string from);

    [LoggerMessage(2005, LogLevel.Warning, "{User} ({Role}) from {From} may not do {Method} {Path}")]
    public static partial void Forbidden(this ILogger logger, string user, string role, string from, string method, string path);

    [LoggerMessage(2006, LogLevel.Warning, "A request from {From} was refused: {Reason}")]
    public static partial void RequestRefused(this ILogger logger, string from, string reason);

    [LoggerMessage(2007, LogLevel.Error, "The identity provider {Authority} cannot be used: {Reason}")]
    public static partial void ProviderFailed(this ILogger logger, string authority, string reason);
}
