using System.Security.Authentication;

namespace Godwit.Notifications;

/// <summary>A notification did not arrive. The message is the end of a sentence that begins with the target, and holds no secret.</summary>
/// <param name="message">What happened.</param>
/// <param name="isTransient">Whether trying again may help.</param>
/// <param name="inner">What caused it.</param>
internal sealed class NotSentException(string message, bool isTransient = false, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Whether trying again may help.</summary>
    public bool IsTransient { get; } = isTransient;

    /// <summary>TLS did not come about.</summary>
    public static NotSentException Of(AuthenticationException e) => new(
        $"TLS with it failed ({ForeignText.Line(e.GetBaseException().Message).TrimEnd('.')}): check that this is an address for TLS, and that this machine trusts the authority behind its certificate (SSL_CERT_FILE)",
        inner: e);
}
