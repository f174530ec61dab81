namespace Godwit.Metadata;

/// <summary>Who does something, for the audit trail.</summary>
/// <param name="Name">The person or the process.</param>
/// <param name="From">Where it was asked from: an address, or a program and its machine; null when nobody can know.</param>
public readonly record struct Actor(string Name, string? From = null)
{
    /// <summary>Whoever runs this process.</summary>
    public static Actor OfProcess { get; } = new(Environment.UserName, Environment.MachineName);

    /// <summary>Somebody of whom only the name is known.</summary>
    public static implicit operator Actor(string name) => new(name);

    /// <summary>Somebody of whom only the name is known.</summary>
    public static Actor FromString(string name) => new(name);

    /// <summary>Says that it did something.</summary>
    internal AuditEntry Did(string action, string subject, string? details, DateTimeOffset at) => new(at, Name, action, subject, details) { From = From };
}
