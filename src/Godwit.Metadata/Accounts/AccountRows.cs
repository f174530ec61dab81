namespace Godwit.Metadata.Accounts;

internal sealed class UserRow
{
    public required string Name { get; init; }
    public required string Role { get; init; }
    public string? Password { get; init; }
    public string? Subject { get; init; }
    public long CreatedAt { get; init; }
    public long? SeenAt { get; init; }
    public long Failures { get; init; }
    public long? LockedUntil { get; init; }
    public required string Stamp { get; init; }

    public static UserRow From(UserRecord user) => new()
    {
        Name = user.Name,
        Role = user.Role.ToString(),
        Password = user.Password,
        Subject = user.Subject,
        CreatedAt = user.CreatedAt.ToUnixTimeMilliseconds(),
        SeenAt = user.SeenAt?.ToUnixTimeMilliseconds(),
        Failures = user.Failures,
        LockedUntil = user.LockedUntil?.ToUnixTimeMilliseconds(),
        Stamp = user.Stamp,
    };

    public UserRecord ToRecord() => new(Name, StoredValue.Name<Role>(Role), StoredValue.Time(CreatedAt))
    {
        Password = Password,
        Subject = Subject,
        SeenAt = StoredValue.Time(SeenAt),
        Failures = (int)Failures,
        LockedUntil = StoredValue.Time(LockedUntil),
        Stamp = Stamp,
    };
}

internal sealed class SessionRow
{
    public required string Id { get; init; }
    public required string UserName { get; init; }
    public required string Stamp { get; init; }
    public long BeganAt { get; init; }
    public long ExpiresAt { get; init; }

    public SessionRecord ToRecord() => new(Id, UserName, Stamp, StoredValue.Time(BeganAt), StoredValue.Time(ExpiresAt));
}

internal sealed class TokenRow
{
    public required string Id { get; init; }
    public required string Hash { get; init; }
    public required string Name { get; init; }
    public required string UserName { get; init; }
    public required string Role { get; init; }
    public long CreatedAt { get; init; }
    public long ExpiresAt { get; init; }
    public long? UsedAt { get; init; }

    public TokenRecord ToRecord() => new(Id, Hash, Name, UserName, StoredValue.Name<Role>(Role), StoredValue.Time(CreatedAt), StoredValue.Time(ExpiresAt))
    {
        UsedAt = StoredValue.Time(UsedAt),
    };
}

internal sealed class AnswerRow
{
    public required string Request { get; init; }
    public long? Status { get; init; }
    public string? Body { get; init; }

    public AnswerRecord ToRecord() => new(Request, (int?)Status, Body);
}
