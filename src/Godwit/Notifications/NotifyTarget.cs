using Godwit.ClickHouse;

namespace Godwit.Notifications;

/// <summary>Somewhere to send to, as the setting <c>notify</c> names it.</summary>
/// <param name="Shown">How people may see it: without what is secret in it.</param>
internal abstract record NotifyTarget(string Shown)
{
    /// <inheritdoc/>
    public sealed override string ToString() => Shown;
}

/// <summary>A webhook.</summary>
/// <param name="Shown">Its host; the rest of such an address is its password.</param>
/// <param name="Url">The whole address.</param>
/// <param name="IsSlack">Whether it takes Slack's form instead of the document.</param>
internal sealed record HookTarget(string Shown, Secret Url, bool IsSlack) : NotifyTarget(Shown);

/// <summary>A mail server, and who writes to whom.</summary>
/// <param name="Shown">The address as it was written; it holds no secret.</param>
/// <param name="Host">The server.</param>
/// <param name="Port">Its port.</param>
/// <param name="Tls">How the connection is made private.</param>
/// <param name="Login">The user, and where the password is; null to send without a login.</param>
/// <param name="From">The sender's address.</param>
/// <param name="To">The receivers' addresses with commas.</param>
internal sealed record MailTarget(string Shown, string Host, int Port, MailTls Tls, MailLogin? Login, string From, string To) : NotifyTarget(Shown);

/// <summary>An address that stands elsewhere, because it is a secret.</summary>
/// <param name="Source">Where.</param>
internal sealed record ReferredTarget(SecretSource Source) : NotifyTarget(Source.ToString());

/// <summary>How a connection to a mail server is made private.</summary>
internal enum MailTls
{
    /// <summary>STARTTLS where the server offers it; without that no password is sent.</summary>
    WhenOffered,

    /// <summary>From the first byte.</summary>
    FromTheStart,

    /// <summary>Not at all.</summary>
    None,
}

/// <summary>Who logs in to a mail server.</summary>
/// <param name="User">The user.</param>
/// <param name="Password">Where the password is.</param>
internal sealed record MailLogin(string User, SecretSource Password);
